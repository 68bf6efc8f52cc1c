import { Modal } from '@mantine/core';
import type { Conversation, TemplateChoice } from '../api/types.ts';
import { TemplateChooser } from '../templates/TemplateChooser.tsx';
import { enqueue } from './outbox.ts';

interface Props {
  conversation: Conversation;
  onClose: () => void;
}

/** Sends a template in a conversation. */
export function TemplatePicker({ conversation, onClose }: Props) {
  const send = (template: TemplateChoice, preview: string) => {
    const { name, locale: language } = template;
    enqueue(conversation.id, { body: { type: 'template', template } }, { type: 'template', name, language, components: [], preview });
    onClose();
  };
  return (
    <Modal opened onClose={onClose} title="Send a template" size="lg">
      <TemplateChooser channelId={conversation.channelId} onSend={send} />
    </Modal>
  );
}
