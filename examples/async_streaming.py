"""Tokens as they are made, awaited.

python examples/async_streaming.py
"""

from __future__ import annotations

import asyncio

from client import aconnect


async def main() -> None:
    async with aconnect() as (client, model):
        stream = await client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": "Write two sentences about the sea."}],
            temperature=0,
            max_completion_tokens=60,
            stream=True,
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                print(chunk.choices[0].delta.content, end="", flush=True)
    print()


if __name__ == "__main__":
    asyncio.run(main())
