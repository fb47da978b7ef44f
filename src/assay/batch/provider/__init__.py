"""A provider's batch API (files and batches, as Groq and OpenAI have them): cheaper, slower, and it outlives this process.

Rows that need an answer go out in parcels; their replies come back in any order and are judged like any others. What fails
validation, what the provider could not answer and what expired is asked for online, by the same runner, into the same journal.

parcels    what was given to the provider, in the journal       sending      out: files and batches
flow       submit, wait, collect                                collecting   back: waiting, and reading what came

States of a parcel: planned, uploaded, created, fetched. Each is on the disk before the next step is taken; the step that a kill
interrupted is looked up at the server by the parcel's token, so nothing is sent twice.
"""

from assay.batch.provider.flow import ProviderBatch, online
from assay.batch.provider.parcels import Parcels

__all__ = ["Parcels", "ProviderBatch", "online"]
