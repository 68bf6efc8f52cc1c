import { Skeleton, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import classes from './guide.module.css';
import { guideQuery } from './guides.ts';

/** A page of the documentation: what one needs, the steps, and what to do when something goes wrong. */
export function Guide({ name }: { name: string }) {
  const { data, isPending } = useQuery(guideQuery(name));
  if (isPending) return <Skeleton height={240} radius="md" aria-hidden />;
  if (!data) {
    return (
      <Text size="sm" c="dimmed">
        docs/{name} says how to set this up.
      </Text>
    );
  }
  // biome-ignore lint/security/noDangerouslySetInnerHtml: our own documentation, made into HTML by the build.
  return <div className={classes.guide} dangerouslySetInnerHTML={{ __html: data }} />;
}
