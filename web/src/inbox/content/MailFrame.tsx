import { Button } from '@mantine/core';
import { IconPhoto } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import type { EmailContent } from '../../../../server/src/model/content.ts';
import classes from './content.module.css';
import { type FramedMail, framedMail, hasRemoteImages } from './mail-frame.ts';

const TALLEST_PX = 2400;
/** A mail that is wider than the screen is drawn smaller, as mail programs do; below this it scrolls. */
const SMALLEST = 0.5;

/** The mail's own HTML in a frame that may run nothing, send nothing, and reach nothing but pictures one asked for. */
export function MailFrame({ email, framed }: { email: EmailContent; framed: FramedMail }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [pictures, setPictures] = useState(false);
  const [height, setHeight] = useState(60);
  const [loaded, setLoaded] = useState(0);
  const shown = pictures ? framedMail(email, true) : framed;

  // biome-ignore lint/correctness/useExhaustiveDependencies: each document that was loaded is measured anew.
  useEffect(() => {
    const root = frame.current?.contentDocument?.documentElement;
    const body = frame.current?.contentDocument?.body;
    if (!root || !body) return;
    const fit = () => {
      body.style.zoom = '1';
      const zoom = Math.max(SMALLEST, Math.min(1, root.clientWidth / root.scrollWidth));
      if (zoom < 1) body.style.zoom = String(zoom);
      setHeight(Math.min(Math.ceil(root.getBoundingClientRect().height), TALLEST_PX));
    };
    const watcher = new ResizeObserver(fit);
    watcher.observe(root);
    watcher.observe(frame.current!);
    return () => watcher.disconnect();
  }, [loaded]);

  return (
    <>
      <iframe
        ref={frame}
        title={email.subject || 'Mail'}
        className={classes.frame}
        sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        srcDoc={shown.document}
        style={{ height }}
        onLoad={() => setLoaded((times) => times + 1)}
      />
      {!pictures && hasRemoteImages(email.html ?? '') && (
        <Button size="compact-xs" variant="light" leftSection={<IconPhoto size={14} />} onClick={() => setPictures(true)}>
          Load pictures from elsewhere
        </Button>
      )}
    </>
  );
}
