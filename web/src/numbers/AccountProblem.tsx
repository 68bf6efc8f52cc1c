import { ApiError } from '../api/client.ts';
import { Problem } from '../components/Problem.tsx';

/** What an account refused; where there is no account at all, also how to get one. */
export function AccountProblem({ error, title }: { error: Error; title: string }) {
  const missing = error instanceof ApiError && error.code === 'settingMissing';
  return (
    <Problem error={missing ? new Error(`${error.message}. Or add a Twilio account below, and choose it here`) : error} title={title} />
  );
}
