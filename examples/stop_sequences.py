"""Stop sequences: the model stops before it writes one of them.

python examples/stop_sequences.py
"""

from __future__ import annotations

from client import connect


def main() -> None:
    with connect() as (client, model):
        completion = client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": "Count from 1 to 10, like this: 1, 2, 3"}],
            temperature=0,
            max_completion_tokens=60,
            stop=[", 6", "\n"],
        )
    choice = completion.choices[0]
    print(choice.message.content)
    print(f"finish reason: {choice.finish_reason}")


if __name__ == "__main__":
    main()
