import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { smsAccountsQuery } from '../api/numbers.ts';

interface Props {
  value: string | undefined;
  onChange: (id: string | undefined) => void;
}

/** Which provider account; nothing to choose where only the installation's own is there. */
export function AccountSelect({ value, onChange }: Props) {
  const { data: accounts = [] } = useQuery(smsAccountsQuery);
  if (accounts.length === 0) return null;
  return (
    <Select
      label="Account"
      data={[{ value: '', label: "The installation's own" }, ...accounts.map(({ id, name }) => ({ value: id, label: name }))]}
      value={value ?? ''}
      onChange={(id) => onChange(id || undefined)}
      allowDeselect={false}
    />
  );
}
