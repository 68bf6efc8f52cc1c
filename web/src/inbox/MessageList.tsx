import { ActionIcon, Center, Loader } from '@mantine/core';
import { IconArrowDown } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Conversation, Message } from '../api/types.ts';
import { useTyping } from '../api/typing.ts';
import { messagesQuery } from '../api/workspace.ts';
import { Problem } from '../components/Problem.tsx';
import { personName } from '../components/person.ts';
import { dayHeading } from '../components/time.ts';
import { groupMessages } from './grouping.ts';
import { MessageGroup } from './MessageGroup.tsx';
import classes from './MessageList.module.css';
import { OutgoingBubble } from './OutgoingBubble.tsx';
import { useOutgoing } from './outbox.ts';

const AT_END_PX = 80;
const LOAD_MORE_PX = 400;
const ANCHORS = CSS.supports('overflow-anchor', 'auto');

interface Props {
  conversation: Conversation;
  onReplyTo: (message: Message) => void;
}

/** What was said, oldest first; older pages come while one scrolls up. */
export function MessageList({ conversation, onReplyTo }: Props) {
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage, isPending } = useInfiniteQuery(
    messagesQuery(conversation.id),
  );
  const outgoing = useOutgoing(conversation.id);
  const typing = useTyping(conversation.id);
  const messages = useMemo(() => (data?.pages.flatMap((page) => page.results) ?? []).toReversed(), [data]);
  const days = useMemo(() => groupMessages(messages), [messages]);
  const known = useMemo(() => new Set(messages.map(({ reference }) => reference)), [messages]);
  const waiting = outgoing.filter(({ key }) => !known.has(key));
  const byId = useMemo(() => new Map(messages.map((message) => [message.id, message])), [messages]);
  const { box, content, atEnd, toEnd } = useStickToEnd(waiting.length, messages[0]?.id);

  const onScroll = () => {
    if (box.current && box.current.scrollTop < LOAD_MORE_PX && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  };

  return (
    <div className={classes.frame}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: people who scroll with the keyboard need to get in. */}
      <div ref={box} className={classes.box} onScroll={onScroll} tabIndex={0} role="log" aria-label="Messages">
        <div ref={content} className={classes.content}>
          {(isPending || isFetchingNextPage) && (
            <Center p="md">
              <Loader size="sm" aria-label="Loading" />
            </Center>
          )}
          {error && <Problem error={error} title="The messages could not be read" onRetry={() => void refetch()} />}
          {days.map((day) => (
            <section key={day.key} aria-label={dayHeading(day.at)}>
              <div className={classes.day}>
                <span>{dayHeading(day.at)}</span>
              </div>
              {day.groups.map((group) => (
                <MessageGroup key={group.key} group={group} contact={conversation.contact} byId={byId} onReplyTo={onReplyTo} />
              ))}
            </section>
          ))}
          {waiting.map((entry) => (
            <OutgoingBubble key={entry.key} entry={entry} />
          ))}
          {typing && <Typing name={personName(conversation.contact.computedDisplayName)} />}
        </div>
      </div>
      {!atEnd && (
        <ActionIcon className={classes.down} variant="default" radius="xl" size="lg" onClick={toEnd} aria-label="To the newest message">
          <IconArrowDown size={18} />
        </ActionIcon>
      )}
    </div>
  );
}

function Typing({ name }: { name: string }) {
  return (
    <div className={classes.typing} role="status" aria-label={`${name} is writing`}>
      <span />
      <span />
      <span />
    </div>
  );
}

/** Keeps the newest message in sight while the reader is at the end, and their place while they read further up. */
function useStickToEnd(sent: number, oldest: string | undefined) {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const sticking = useRef(true);
  const [atEnd, setAtEnd] = useState(true);

  const toEnd = useCallback(() => {
    sticking.current = true;
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, []);

  useEffect(() => {
    const view = box.current!;
    const grow = new ResizeObserver(() => {
      if (sticking.current) view.scrollTop = view.scrollHeight;
    });
    let before = view.scrollTop;
    // Only scrolling up leaves the end: what grows below the reader (a picture, a mail) does not.
    const look = () => {
      const left = view.scrollHeight - view.scrollTop - view.clientHeight >= AT_END_PX;
      if (!left) sticking.current = true;
      else if (view.scrollTop < before) sticking.current = false;
      before = view.scrollTop;
      setAtEnd(sticking.current);
    };
    grow.observe(content.current!);
    grow.observe(view);
    view.addEventListener('scroll', look, { passive: true });
    return () => {
      grow.disconnect();
      view.removeEventListener('scroll', look);
    };
  }, []);

  // Browsers keep the place themselves when something grows above it, but not at the very top (and some not at all).
  const height = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an older page changes what comes first.
  useLayoutEffect(() => {
    const view = box.current!;
    if (!sticking.current && (view.scrollTop === 0 || !ANCHORS)) view.scrollTop += view.scrollHeight - height.current;
  }, [oldest]);
  useLayoutEffect(() => {
    height.current = box.current!.scrollHeight;
  });
  useLayoutEffect(() => {
    if (sent > 0) toEnd();
  }, [sent, toEnd]);

  return { box, content, atEnd, toEnd };
}
