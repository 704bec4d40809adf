"""Removes the consumers that stopped workers leave in the queue's group."""

from typing import Any

from redis.asyncio import Redis

# One script, so that no consumer receives a task between the check and its removal: the group
# forgets the pending tasks of a removed consumer, and nobody would get them. A live worker that is
# removed, because Redis before 7.2 counts waiting as idle, is added again with its next task.
REMOVE_IDLE = """
local removed = 0
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for at = 1, #fields, 2 do consumer[fields[at]] = fields[at + 1] end
  if consumer.pending == 0 and consumer.idle >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    removed = removed + 1
  end
end
return removed
"""


async def remove_idle(redis: Redis, stream: str, group: str, seconds: float) -> int:
    """Remove the consumers without pending tasks that were idle for `seconds`; return how many.

    Raises:
        redis.exceptions.RedisError: no answer, no such group, or scripts are not allowed.
    """
    removed: Any = redis.eval(REMOVE_IDLE, 1, stream, group, str(int(seconds * 1000)))
    return int(await removed)
