"""What bytes look like: encoding a `Call`, decoding answers, errors, headers and event streams. No I/O."""
