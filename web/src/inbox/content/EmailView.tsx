import { Button } from '@mantine/core';
import { IconMail, IconPhoto } from '@tabler/icons-react';
import { useMemo, useRef, useState } from 'react';
import type { EmailContent, MailAddress } from '../../../../server/src/model/content.ts';
import classes from './content.module.css';
import { LinkedText } from './LinkedText.tsx';
import { MediaView } from './MediaView.tsx';
import { frameDocument, hasRemoteImages } from './mail-frame.ts';

const TALLEST_PX = 1200;

/** A mail: who, what about, the new part first; quoted history folds out, pictures of others load only when asked for. */
export function EmailView({ email }: { email: EmailContent }) {
  const [whole, setWhole] = useState(!email.reply);
  const attachments =
    email.attachments?.filter(({ contentId, url }) => !(contentId && email.html?.includes(`cid:${contentId}`) && url)) ?? [];
  return (
    <div className={classes.email}>
      <div className={classes.mailHead}>
        <IconMail size={16} aria-hidden />
        <div>
          <strong>{email.subject || '(no subject)'}</strong>
          <div className={classes.small}>
            {email.from && <span>From {addressText(email.from)}</span>}
            {email.to && email.to.length > 0 && <span> · To {email.to.map(addressText).join(', ')}</span>}
            {email.cc && email.cc.length > 0 && <span> · Cc {email.cc.map(addressText).join(', ')}</span>}
          </div>
        </div>
      </div>
      {whole && email.html ? <MailFrame email={email} /> : <LinkedText text={whole ? email.text : (email.reply ?? email.text)} />}
      {email.reply && email.reply.trim() !== email.text.trim() && (
        <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setWhole(!whole)} aria-expanded={whole}>
          {whole ? 'Show the new part alone' : 'Show the whole mail'}
        </Button>
      )}
      {attachments.map((media, index) => (
        <MediaView key={media.id ?? media.url ?? index} content={{ type: 'file', media }} />
      ))}
    </div>
  );
}

/** The mail's own HTML in a frame that may run nothing, send nothing, and reach nothing but pictures one asked for. */
function MailFrame({ email }: { email: EmailContent }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [pictures, setPictures] = useState(false);
  const [height, setHeight] = useState(120);
  const html = email.html ?? '';
  const shown = useMemo(() => frameDocument(email, pictures), [email, pictures]);
  const fit = () => setHeight(Math.min(frame.current?.contentDocument?.documentElement.scrollHeight ?? height, TALLEST_PX));
  return (
    <div>
      {!pictures && hasRemoteImages(html) && (
        <Button size="compact-xs" variant="light" leftSection={<IconPhoto size={14} />} onClick={() => setPictures(true)} mb={6}>
          Load pictures from elsewhere
        </Button>
      )}
      <iframe
        ref={frame}
        title={email.subject || 'Mail'}
        className={classes.frame}
        sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        srcDoc={shown}
        style={{ height }}
        onLoad={fit}
      />
    </div>
  );
}

function addressText({ name, address }: MailAddress): string {
  return name ? `${name} <${address}>` : address;
}
