import { Anchor } from '@mantine/core';
import { linkParts } from './links.ts';

/** Text as it was written, its web and mail addresses as links. */
export function LinkedText({ text }: { text: string }) {
  return (
    <span style={{ whiteSpace: 'pre-wrap' }} dir="auto">
      {linkParts(text).map(({ at, part, href }) =>
        href ? (
          <Anchor key={at} href={href} target="_blank" rel="noreferrer noopener" inherit underline="always" c="inherit">
            {part}
          </Anchor>
        ) : (
          part
        ),
      )}
    </span>
  );
}
