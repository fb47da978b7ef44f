"""A plain chat completion. The client has the surface of the groq package.

python examples/chat.py
"""

from __future__ import annotations

from client import connect


def main() -> None:
    with connect() as (client, model):
        completion = client.chat.completions.create(
            model=model,
            messages=[
                {"role": "system", "content": "You answer in one short sentence."},
                {"role": "user", "content": "What is the capital of France?"},
            ],
            temperature=0,
            max_completion_tokens=40,
        )
    print(completion.choices[0].message.content)
    print(completion.usage)


if __name__ == "__main__":
    main()
