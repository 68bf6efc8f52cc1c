import { Center, Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { startLive, stopLive } from '../api/live.ts';
import { sessionQuery } from '../api/session.ts';
import { FullPageProblem } from '../components/FullPageProblem.tsx';
import { SignIn } from '../signin/SignIn.tsx';

/** Shows the pages to whoever is signed in, and the sign-in to everybody else. */
export function SessionGate({ children }: { children: ReactNode }) {
  const { data: session, error, refetch, isPending } = useQuery(sessionQuery);
  const [ready, setReady] = useState(false);
  const [problem, setProblem] = useState<Error>();
  const workspace = session?.workspaceId;

  useEffect(() => {
    if (!workspace) return;
    let wanted = true;
    setProblem(undefined);
    startLive().then(
      () => wanted && setReady(true),
      (failure: Error) => wanted && setProblem(failure),
    );
    return () => {
      wanted = false;
      stopLive();
      setReady(false);
    };
  }, [workspace]);

  if (error) return <FullPageProblem error={error} onRetry={() => void refetch()} />;
  if (isPending) return <Waiting />;
  if (!session) return <SignIn />;
  if (problem) return <FullPageProblem error={problem} onRetry={() => location.reload()} />;
  return ready ? children : <Waiting />;
}

function Waiting() {
  return (
    <Center h="100dvh">
      <Loader aria-label="Loading" />
    </Center>
  );
}
