import { Button, Checkbox, Skeleton, Stack } from '@mantine/core';
import { IconDownload, IconPhone, IconShoppingCart } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { numbersQuery, removeNumber, smsAccountsQuery } from '../api/numbers.ts';
import type { PhoneNumber } from '../api/types.ts';
import { ButtonLink } from '../components/ButtonLink.tsx';
import { Confirm } from '../components/Confirm.tsx';
import { EmptyState } from '../components/EmptyState.tsx';
import { Page } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import rows from '../components/Rows.module.css';
import { Abilities } from './Abilities.tsx';
import { Accounts } from './Accounts.tsx';
import { BuyNumber } from './BuyNumber.tsx';
import { ImportNumbers } from './ImportNumbers.tsx';
import classes from './numbers.module.css';
import { refreshNumbers } from './refresh.ts';

/** The phone numbers: taken over or bought, each with the SMS channel that it made, and given back. */
export function NumbersPage() {
  const { data: numbers, error, isPending, refetch } = useQuery(numbersQuery);
  const [adding, setAdding] = useState<'buy' | 'import'>();
  const [removing, setRemoving] = useState<PhoneNumber>();
  const buttons = (
    <>
      <Button variant="default" leftSection={<IconDownload size={18} />} onClick={() => setAdding('import')}>
        Take over mine
      </Button>
      <Button leftSection={<IconShoppingCart size={18} />} onClick={() => setAdding('buy')}>
        Buy a number
      </Button>
    </>
  );
  return (
    <Page title="Phone numbers" about="Numbers at Twilio. One that can do SMS gets its channel by itself." actions={buttons}>
      {error && <Problem error={error} title="The numbers could not be read" onRetry={() => void refetch()} />}
      {isPending && (
        <Stack gap="xs" aria-hidden>
          <Skeleton height={68} radius="lg" />
          <Skeleton height={68} radius="lg" />
        </Stack>
      )}
      {numbers?.length === 0 && (
        <div className={rows.empty}>
          <EmptyState icon={IconPhone} title="No phone number yet">
            Take over the numbers that you have at Twilio, or buy one here. Customers can write to it within a minute.
          </EmptyState>
        </div>
      )}
      {numbers && numbers.length > 0 && (
        <ul className={rows.list}>
          {numbers.map((number) => (
            <li key={number.id}>
              <Row number={number} onRemove={() => setRemoving(number)} />
            </li>
          ))}
        </ul>
      )}
      {numbers && <Accounts />}
      {adding === 'buy' && <BuyNumber onClose={() => setAdding(undefined)} />}
      {adding === 'import' && <ImportNumbers onClose={() => setAdding(undefined)} />}
      {removing && <Remove number={removing} onClose={() => setRemoving(undefined)} />}
    </Page>
  );
}

function Row({ number, onRemove }: { number: PhoneNumber; onRemove: () => void }) {
  const { data: accounts } = useQuery(smsAccountsQuery);
  const { phoneNumber, name, capabilities, channelId, integrationId } = number;
  const account = accounts?.find(({ id }) => id === integrationId)?.name;
  const about = [name !== phoneNumber && name, account].filter(Boolean).join(' · ');
  return (
    <div className={rows.row}>
      <div className={rows.words}>
        <div className={rows.title}>
          <span className={classes.number}>{phoneNumber}</span> <Abilities of={capabilities} />
        </div>
        {about && <div className={rows.small}>{about}</div>}
      </div>
      <div className={rows.tools}>
        {channelId ? (
          <ButtonLink to="/channels/$channelId" params={{ channelId }} size="compact-sm" variant="default">
            Its channel
          </ButtonLink>
        ) : (
          <span className={rows.small}>No SMS channel</span>
        )}
        <Button size="compact-sm" variant="subtle" color="red" onClick={onRemove} aria-label={`Remove ${phoneNumber}`}>
          Remove
        </Button>
      </div>
    </div>
  );
}

function Remove({ number, onClose }: { number: PhoneNumber; onClose: () => void }) {
  const [release, setRelease] = useState(false);
  return (
    <Confirm
      title={`Remove ${number.phoneNumber}?`}
      verb={release ? 'Give it back' : 'Remove'}
      failed="Not removed"
      action={() => removeNumber(number.id, release).then(refreshNumbers)}
      onClose={onClose}
    >
      <Stack gap="sm">
        <span>
          {number.channelId ? 'Its SMS channel is deleted; what was written stays for 30 days.' : 'It leaves this list.'}{' '}
          {release ? 'The number goes back to Twilio, and somebody else may get it.' : 'At Twilio it stays yours and is billed on.'}
        </span>
        {number.releasable && (
          <Checkbox label="Also give it back to Twilio" checked={release} onChange={(event) => setRelease(event.currentTarget.checked)} />
        )}
      </Stack>
    </Confirm>
  );
}
