/** What a send would do, as this surface shows it. */
import type { Preview as Row } from '../../engine/send.ts';
import { refusalOf } from '../refusal.ts';
import { bodyOf } from './errors.ts';
import { iso } from './schemas/common.ts';
import type { Preview } from './schemas/message.ts';

export function showPreview(row: Row): Preview {
  return { ...showWay(row), fallback: row.fallback.map(showWay) };
}

function showWay(row: Row): Omit<Preview, 'fallback'> {
  const { channelId, conversationId, content, changes, problems, estimate, window } = row;
  const closed = problems.find((problem) => problem.code === 'window-closed');
  return {
    channelId,
    conversationId,
    sendable: problems.length === 0,
    content: { ...content },
    changes,
    problems: problems.map((problem) => bodyOf(refusalOf(problem))),
    estimate: estimate ?? null,
    window: window && { open: window.open, expiresAt: iso(window.expiresAt), ...(window.tag ? { tag: window.tag } : {}) },
    templates: (closed?.details.templates as { name: string; language: string }[] | undefined) ?? [],
  };
}
