"""Tokens as they are made.

python examples/streaming.py
"""

from __future__ import annotations

from client import connect


def main() -> None:
    with (
        connect() as (client, model),
        client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": "Write two sentences about rain."}],
            temperature=0,
            max_completion_tokens=60,
            stream=True,
        ) as stream,
    ):
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                print(chunk.choices[0].delta.content, end="", flush=True)
    print()


if __name__ == "__main__":
    main()
