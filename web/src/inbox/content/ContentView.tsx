import { Anchor, Stack, Text } from '@mantine/core';
import { IconAddressBook, IconCornerDownRight, IconMapPin, IconTemplate } from '@tabler/icons-react';
import type { Content } from '../../api/types.ts';
import { CardsView } from './CardsView.tsx';
import classes from './content.module.css';
import { EmailView } from './EmailView.tsx';
import { LinkedText } from './LinkedText.tsx';
import { MediaView } from './MediaView.tsx';
import { OrderView } from './OrderView.tsx';

/** Shows what a message says, whatever kind it is. */
export function ContentView({ content, messageId }: { content: Content; messageId?: string }) {
  switch (content.type) {
    case 'text':
    case 'system':
      return <LinkedText text={content.text} />;
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
    case 'sticker':
      return <MediaView content={content} />;
    case 'location':
      return <Place {...content} />;
    case 'contacts':
      return <People contacts={content.contacts} />;
    case 'choices':
      return (
        <Stack gap={8}>
          {content.header && <strong>{content.header}</strong>}
          {content.media && <MediaView content={{ type: 'image', media: content.media }} />}
          <LinkedText text={content.text} />
          {content.footer && <span className={classes.small}>{content.footer}</span>}
          <div className={classes.choices}>
            {content.choices.map(({ id, title }) => (
              <span key={id} className={classes.choice}>
                {title}
              </span>
            ))}
          </div>
        </Stack>
      );
    case 'list':
      return <Menu {...content} />;
    case 'cards':
      return <CardsView text={content.text} cards={content.cards} />;
    case 'template':
      return (
        <Stack gap={6}>
          <span className={classes.kind}>
            <IconTemplate size={14} aria-hidden /> Template {content.name} · {content.language}
          </span>
          {content.preview ? (
            <LinkedText text={content.preview} />
          ) : (
            <span className={classes.small}>Its text is kept by the provider.</span>
          )}
        </Stack>
      );
    case 'email':
      return <EmailView email={content} messageId={messageId} />;
    case 'reply':
      return (
        <div>
          <span className={classes.kind}>
            <IconCornerDownRight size={14} aria-hidden /> Chose
          </span>
          <strong>{content.title}</strong>
          {content.description && <div className={classes.small}>{content.description}</div>}
          {content.data && <pre className={classes.raw}>{JSON.stringify(content.data, null, 2)}</pre>}
        </div>
      );
    case 'order':
      return <OrderView order={content} />;
    case 'unsupported':
      return (
        <Text fs="italic" c="dimmed" size="sm">
          {content.text || `The provider sent something that cannot be shown here (${content.kind}). It is kept.`}
        </Text>
      );
    case 'native':
      return content.text ? (
        <LinkedText text={content.text} />
      ) : (
        <pre className={classes.raw}>{JSON.stringify(content.payload, null, 2)}</pre>
      );
    default:
      return null;
  }
}

function Place({ latitude, longitude, name, address }: Extract<Content, { type: 'location' }>) {
  const href = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`;
  return (
    <div className={classes.place}>
      <span className={classes.pin}>
        <IconMapPin size={22} aria-hidden />
      </span>
      <div>
        <strong>{name || 'A place'}</strong>
        {address && <div className={classes.small}>{address}</div>}
        <Anchor href={href} target="_blank" rel="noreferrer" size="sm">
          {latitude.toFixed(5)}, {longitude.toFixed(5)}
        </Anchor>
      </div>
    </div>
  );
}

function People({ contacts }: { contacts: Extract<Content, { type: 'contacts' }>['contacts'] }) {
  return (
    <Stack gap={8}>
      {contacts.map((contact) => (
        <div key={contact.name} className={classes.place}>
          <span className={classes.pin}>
            <IconAddressBook size={20} aria-hidden />
          </span>
          <div>
            <strong>{contact.name}</strong>
            {contact.phones?.map((phone) => (
              <div key={phone}>
                <Anchor href={`tel:${phone}`} size="sm">
                  {phone}
                </Anchor>
              </div>
            ))}
            {contact.emails?.map((email) => (
              <div key={email}>
                <Anchor href={`mailto:${email}`} size="sm">
                  {email}
                </Anchor>
              </div>
            ))}
          </div>
        </div>
      ))}
    </Stack>
  );
}

function Menu({ text, header, footer, button, sections }: Extract<Content, { type: 'list' }>) {
  return (
    <Stack gap={6}>
      {header && <strong>{header}</strong>}
      <LinkedText text={text} />
      {footer && <span className={classes.small}>{footer}</span>}
      <details className={classes.menu}>
        <summary>{button}</summary>
        {sections.map((section, index) => (
          <div key={section.title ?? index}>
            {section.title && <div className={classes.kind}>{section.title}</div>}
            {section.rows.map((row) => (
              <div key={row.id} className={classes.menuRow}>
                {row.title}
                {row.description && <div className={classes.small}>{row.description}</div>}
              </div>
            ))}
          </div>
        ))}
      </details>
    </Stack>
  );
}
