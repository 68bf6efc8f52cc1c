import { ActionIcon, Button, CloseButton, Text, Tooltip } from '@mantine/core';
import { IconMessage2, IconPaperclip, IconSend2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ClipboardEvent, type DragEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { Conversation, Message } from '../api/types.ts';
import { capabilitiesQuery, sayTyping } from '../api/workspace.ts';
import { AttachmentTray } from './AttachmentTray.tsx';
import classes from './Composer.module.css';
import { compose } from './compose.ts';
import { loadDraft, saveDraft } from './drafts.ts';
import { EmojiPicker } from './EmojiPicker.tsx';
import { MailFields, type MailHead, mailMeta, NO_MAIL_HEAD } from './MailFields.tsx';
import { enqueue } from './outbox.ts';
import { PartCount } from './PartCount.tsx';
import { REPLY_LIST, SavedReplyList } from './SavedReplyList.tsx';
import { SendLater } from './SendLater.tsx';
import { REPLY_FIELD } from './shortcuts.ts';
import { summaryOf } from './summary.ts';
import { TemplateButton } from './TemplateButton.tsx';
import { useAttachments } from './use-attachments.ts';
import { useSavedReplies } from './use-saved-replies.ts';
import { ReplyObstacle, useReplyState, WindowNotice } from './WindowNotice.tsx';

const TYPING_EVERY_MS = 4_000;
const TALLEST_PX = 220;

interface Props {
  conversation: Conversation;
  replyTo?: Message;
  onReplyDone: () => void;
}

/** Where the answer is written: text, emoji and files, kept as a draft until it is sent. */
export function Composer({ conversation, replyTo, onReplyDone }: Props) {
  const { id, channelId } = conversation;
  const { data: capabilities } = useQuery(capabilitiesQuery(channelId));
  const reply = useReplyState(conversation);
  const [text, setText] = useState(() => loadDraft(id));
  const [dragging, setDragging] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const attachments = useAttachments(capabilities);
  const [mail, setMail] = useState<MailHead>(NO_MAIL_HEAD);
  const [unresolved, setUnresolved] = useState<string[]>([]);
  const replies = useSavedReplies(id, text, (filled) => {
    setText(filled.text);
    setUnresolved(filled.unresolved);
    field.current?.focus();
  });
  const lastTyping = useRef(0);

  useEffect(() => saveDraft(id, text), [id, text]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the field grows with its text.
  useEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, TALLEST_PX)}px`;
  }, [text]);
  useEffect(() => {
    if (replyTo) field.current?.focus();
  }, [replyTo]);

  if (reply.obstacle) return <ReplyObstacle obstacle={reply.obstacle} conversation={conversation} />;

  const limit = capabilities?.text?.max;
  const length = capabilities?.text?.unit === 'bytes' ? new TextEncoder().encode(text).length : [...text].length;
  const tooLong = limit !== undefined && length > limit;
  const ready = !replies.opened && (text.trim() !== '' || attachments.items.length > 0) && !tooLong && attachments.settled;
  const mayAttach = capabilities?.media !== undefined || capabilities?.email === true;

  const write = (next: string) => {
    setText(next);
    setUnresolved((names) => names.filter((name) => next.includes(name)));
    const now = Date.now();
    if (!capabilities?.typing?.out || !next || now - lastTyping.current < TYPING_EVERY_MS) return;
    lastTyping.current = now;
    // Only a courtesy: a failure changes nothing for anybody.
    sayTyping(id, true).catch(() => undefined);
  };

  const insert = (emoji: string) => {
    const area = field.current;
    const [from, to] = [area?.selectionStart ?? text.length, area?.selectionEnd ?? text.length];
    setText(text.slice(0, from) + emoji + text.slice(to));
    requestAnimationFrame(() => {
      area?.focus();
      area?.setSelectionRange(from + emoji.length, from + emoji.length);
    });
  };

  const send = (at?: Date) => {
    if (!ready) return;
    const replying = replyTo ? { replyTo: { id: replyTo.id } } : {};
    const meta = capabilities?.email ? mailMeta(mail) : {};
    const later = at ? { scheduledFor: at.toISOString() } : {};
    for (const { body, content } of compose(text.trim(), attachments.stored(), capabilities ?? {}, mail.subject.trim())) {
      enqueue(id, { body, ...replying, ...meta, ...later }, content);
    }
    setText('');
    setUnresolved([]);
    setMail(NO_MAIL_HEAD);
    attachments.clear();
    onReplyDone();
    lastTyping.current = 0;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (replies.onKeyDown(event)) return;
    // A mail is written in paragraphs: Enter begins a new one.
    if (capabilities?.email && !event.ctrlKey && !event.metaKey) return;
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const onPaste = (event: ClipboardEvent) => {
    if (!mayAttach || event.clipboardData.files.length === 0) return;
    event.preventDefault();
    attachments.add([...event.clipboardData.files]);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setDragging(false);
    if (mayAttach) attachments.add([...event.dataTransfer.files]);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way to what the button does.
    <div
      className={classes.composer}
      onDragOver={(event) => {
        event.preventDefault();
        setDragging(mayAttach && event.dataTransfer.types.includes('Files'));
      }}
      onDragLeave={() => setDragging(false)}
      onDrop={onDrop}
    >
      <WindowNotice conversation={conversation} />
      {replies.opened && <SavedReplyList {...replies} />}
      <div className={classes.box} data-dragging={dragging || undefined}>
        {replyTo && (
          <div className={classes.replyTo}>
            <span>Answering: {summaryOf(replyTo.content)}</span>
            <CloseButton size="sm" onClick={onReplyDone} aria-label="Answer no particular message" />
          </div>
        )}
        {capabilities?.email && <MailFields conversation={conversation} value={mail} onChange={setMail} />}
        <AttachmentTray items={attachments.items} onRemove={attachments.remove} onRetry={attachments.retry} />
        <textarea
          ref={field}
          id={REPLY_FIELD}
          className={classes.field}
          rows={1}
          value={text}
          placeholder={dragging ? 'Drop the files here' : 'Write a reply, or / for a saved one'}
          aria-label="Reply"
          aria-controls={replies.opened ? REPLY_LIST : undefined}
          aria-activedescendant={replies.activeId}
          dir="auto"
          onChange={(event) => write(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        {unresolved.length > 0 && (
          <div className={classes.unresolved} role="status">
            Not known here, fill in yourself: {unresolved.map((name) => `{{${name}}}`).join(', ')}
          </div>
        )}
        <div className={classes.tools}>
          {mayAttach && (
            <>
              <Tooltip label="Attach files">
                <ActionIcon size="lg" onClick={() => picker.current?.click()} aria-label="Attach files">
                  <IconPaperclip size={19} />
                </ActionIcon>
              </Tooltip>
              <input
                ref={picker}
                type="file"
                multiple
                hidden
                onChange={(event) => {
                  attachments.add([...(event.currentTarget.files ?? [])]);
                  event.currentTarget.value = '';
                }}
              />
            </>
          )}
          <EmojiPicker onPick={insert} />
          <Tooltip label="Saved replies">
            <ActionIcon
              size="lg"
              onClick={() => {
                setText(replies.opened ? '' : '/');
                field.current?.focus();
              }}
              disabled={text !== '' && !replies.opened}
              aria-label="Saved replies"
              aria-expanded={replies.opened}
            >
              <IconMessage2 size={20} />
            </ActionIcon>
          </Tooltip>
          {capabilities?.templates && <TemplateButton conversation={conversation} />}
          <span className={classes.space} />
          <PartCount conversation={conversation} text={text} />
          {limit !== undefined && length > limit * 0.8 && (
            <Text size="xs" c={tooLong ? 'var(--pb-bad-text)' : 'dimmed'} role={tooLong ? 'alert' : undefined}>
              {tooLong ? `${length - limit} too long` : `${limit - length} left`}
            </Text>
          )}
          <SendLater disabled={!ready} onPick={send} />
          <Button size="sm" onClick={() => send()} disabled={!ready} rightSection={<IconSend2 size={17} />}>
            Send
          </Button>
        </div>
      </div>
    </div>
  );
}
