"""Two chat completions at the same time, awaited.

python examples/async_chat.py
"""

from __future__ import annotations

import asyncio

from client import aconnect

QUESTIONS = ("What colour is the sky?", "What is two plus two?")


async def main() -> None:
    async with aconnect() as (client, model):

        async def ask(question: str) -> str | None:
            completion = await client.chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": question}],
                temperature=0,
                max_completion_tokens=30,
            )
            return completion.choices[0].message.content

        answers = await asyncio.gather(*[ask(question) for question in QUESTIONS])
    for question, answer in zip(QUESTIONS, answers, strict=True):
        print(f"{question}\n  {answer}")


if __name__ == "__main__":
    asyncio.run(main())
