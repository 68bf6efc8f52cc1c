import { Anchor, Button, Code, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { signIn } from '../api/session.ts';
import { Logo } from '../shell/Logo.tsx';
import classes from './SignIn.module.css';

/** Exchanges the key that the terminal showed for a session. */
export function SignIn() {
  const [key, setKey] = useState('');
  const attempt = useMutation({ mutationFn: signIn });
  const problem = attempt.error?.message;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    attempt.mutate(key.trim());
  };

  return (
    <main className={classes.page}>
      <form className={classes.card} onSubmit={submit}>
        <Stack gap="lg">
          <Stack gap={4} align="flex-start">
            <Logo size={44} />
            <Title order={1} mt="sm">
              Sign in to Patchbay
            </Title>
            <Text c="dimmed">Every channel your customers write through, in one place.</Text>
          </Stack>
          <PasswordInput
            label="API key"
            description={
              <>
                The terminal showed it when Patchbay started for the first time. It looks like <Code>ak_live_…</Code>
              </>
            }
            placeholder="ak_live_…"
            size="md"
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
            error={problem}
            autoComplete="current-password"
            name="key"
            required
            withAsterisk={false}
            data-autofocus
            autoFocus
          />
          <Button type="submit" size="md" loading={attempt.isPending} disabled={!key.trim()}>
            Sign in
          </Button>
          <Text size="sm" c="dimmed">
            Lost it? Start Patchbay with <Code>PATCHBAY_API_KEY</Code> set to a key of your choice. Programs use the same keys: see the{' '}
            <Anchor href="/docs" size="sm">
              API reference
            </Anchor>
            .
          </Text>
        </Stack>
      </form>
    </main>
  );
}
