import { Button, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { buyNumber, searchNumbers } from '../api/numbers.ts';
import { Abilities } from './Abilities.tsx';
import { AccountProblem } from './AccountProblem.tsx';
import { AccountSelect } from './AccountSelect.tsx';
import classes from './numbers.module.css';
import { refreshNumbers } from './refresh.ts';

/** Searches what the provider offers; buying asks once more, since it costs money. */
export function BuyNumber({ onClose }: { onClose: () => void }) {
  const [account, setAccount] = useState<string>();
  const [wanted, setWanted] = useState({ country: 'US', areaCode: '', contains: '' });
  const [sure, setSure] = useState<string>();
  const search = useMutation({
    mutationFn: () => {
      const { country, areaCode, contains } = wanted;
      return searchNumbers({
        country,
        integrationId: account,
        ...(areaCode ? { areaCode } : {}),
        ...(contains ? { contains } : {}),
      });
    },
  });
  const buy = useMutation({
    mutationFn: (phoneNumber: string) => buyNumber(phoneNumber, account),
    onSuccess: async () => {
      await refreshNumbers();
      onClose();
    },
  });
  const fields = search.error instanceof ApiError ? search.error.fields : {};
  const told = Boolean(fields.country ?? fields.areaCode ?? fields.contains);
  const bind = (name: keyof typeof wanted) => ({
    value: wanted[name],
    error: fields[name]?.join('; '),
    onChange: ({ currentTarget: { value } }: { currentTarget: { value: string } }) =>
      setWanted((old) => ({ ...old, [name]: value.trim() })),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setSure(undefined);
    search.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="Buy a number" size="lg">
      <Stack>
        <AccountSelect value={account} onChange={setAccount} />
        <form onSubmit={submit} noValidate>
          <div className={classes.search}>
            <TextInput label="Country" maxLength={2} {...bind('country')} data-autofocus />
            <TextInput label="Area code" inputMode="numeric" placeholder="312" {...bind('areaCode')} />
            <TextInput label="Contains" placeholder="GARDEN or 4711" {...bind('contains')} />
            <Button type="submit" loading={search.isPending} leftSection={<IconSearch size={16} />} disabled={wanted.country.length !== 2}>
              Search
            </Button>
          </div>
        </form>
        {search.error && !told && <AccountProblem error={search.error} title="The search did not work" />}
        {buy.error && <AccountProblem error={buy.error} title="Not bought" />}
        {search.data?.length === 0 && <Text size="sm">No number fits. Leave out the area code, or part of what it should contain.</Text>}
        {search.data && search.data.length > 0 && (
          <ul className={classes.offers}>
            {search.data.map(({ phoneNumber, locality, region, country, capabilities }) => (
              <li key={phoneNumber} className={classes.offer}>
                <div>
                  <Text fw={600} size="sm" className={classes.number}>
                    {phoneNumber}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {[locality, region, country].filter(Boolean).join(', ')}
                  </Text>
                </div>
                <Abilities of={capabilities} />
                <Button
                  size="xs"
                  variant={sure === phoneNumber ? 'filled' : 'default'}
                  loading={buy.isPending && buy.variables === phoneNumber}
                  disabled={buy.isPending && buy.variables !== phoneNumber}
                  onClick={() => (sure === phoneNumber ? buy.mutate(phoneNumber) : setSure(phoneNumber))}
                  aria-label={sure === phoneNumber ? `Really buy ${phoneNumber}` : `Buy ${phoneNumber}`}
                >
                  {sure === phoneNumber ? 'Really buy it' : 'Buy'}
                </Button>
              </li>
            ))}
          </ul>
        )}
        <Text size="xs" c="dimmed">
          Twilio bills the account each month until the number is given back.
        </Text>
      </Stack>
    </Modal>
  );
}
