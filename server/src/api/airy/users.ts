/** `users.list`: airy.md 1.7. */
import Type from 'typebox';
import { listUsers } from '../../store/users.ts';
import { pageOf, sizeOf } from './paging.ts';
import { type Airy, Cursor, PageSize } from './routes.ts';
import { pageAnswer, UserAnswer } from './schemas.ts';

export function addUsers(airy: Airy): void {
  airy.post(
    'users.list',
    {
      needs: 'conversations:read',
      answer: pageAnswer(UserAnswer),
      summary: 'Whoever works with the conversations',
      body: Type.Object({ cursor: Cursor, page_size: PageSize }),
    },
    async ({ body, workspaceId }) => {
      const limit = sizeOf(body.page_size);
      const after = body.cursor;
      const { users, total } = await listUsers(airy.engine.database, workspaceId, { ...(after ? { after } : {}), limit: limit + 1 });
      const shown = users.slice(0, limit);
      return {
        data: shown.map((user) => ({
          id: user.id,
          name: user.name,
          avatar_url: user.avatarUrl,
          first_seen_at: user.firstSeenAt.toISOString(),
          last_seen_at: user.lastSeenAt.toISOString(),
        })),
        pagination_data: pageOf(after ?? null, users.length > limit ? shown.at(-1)!.id : null, total),
      };
    },
  );
}
