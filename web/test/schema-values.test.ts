import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { live } from '../../server/src/connectors/chatplugin/index.ts';
import type { Schema } from '../src/api/types.ts';
import {
  changedSettings,
  choicesOf,
  editablePart,
  fieldsOf,
  filledValues,
  getAt,
  kindOf,
  missingFields,
  partOf,
  serverProblems,
  setAt,
  startValues,
} from '../src/components/schema-values.ts';

const schema: Schema = {
  type: 'object',
  required: ['host', 'port'],
  properties: {
    tls: { type: 'object', required: ['mode'], properties: { mode: { anyOf: [{ const: 'starttls' }, { const: 'implicit' }] } } },
    note: { type: 'string' },
    host: { type: 'string' },
    port: { type: 'integer', default: 993 },
    password: { type: 'string', secret: true },
    folders: { type: 'array', items: { type: 'string' } },
    active: { type: 'boolean' },
    color: { type: 'string', format: 'color' },
  },
};

describe('a generated form', () => {
  it('draws each field as its schema says', () => {
    const kinds = Object.fromEntries(fieldsOf(schema).map(([name, field]) => [name, kindOf(field)]));
    expect(kinds).toEqual({
      host: 'text',
      port: 'number',
      note: 'text',
      password: 'secret',
      folders: 'texts',
      active: 'flag',
      color: 'color',
      tls: 'group',
    });
    expect(choicesOf(schema.properties!.tls!.properties!.mode!)).toEqual(['starttls', 'implicit']);
  });

  it('shows wanted fields first and groups last', () => {
    expect(fieldsOf(schema).map(([name]) => name)).toEqual(['host', 'port', 'note', 'password', 'folders', 'active', 'color', 'tls']);
  });

  it('begins with defaults, asks for what is missing, sends what is filled', () => {
    const values = startValues(schema);
    expect(values).toEqual({ port: 993, tls: {} });
    expect(missingFields(schema, values)).toEqual({ host: 'This is needed.' });
    const filled = setAt(setAt(setAt(values, 'host', 'mail.example.com'), 'tls.mode', 'implicit'), 'note', '');
    expect(missingFields(schema, filled)).toEqual({});
    expect(filledValues(schema, filled)).toEqual({ host: 'mail.example.com', port: 993, tls: { mode: 'implicit' } });
    expect(filledValues(schema, values)).toEqual({ port: 993 });
  });

  it('puts the problems that the server tells at their fields, and loses none', () => {
    expect(
      serverProblems(schema, {
        'input.host': ['is no host name'],
        '/input/tls/mode': ['must be one of starttls, implicit'],
        'folders.0': ['is empty'],
        workspace: ['is gone'],
      }),
    ).toEqual({
      fields: { host: 'Is no host name', 'tls.mode': 'Must be one of starttls, implicit', folders: 'Is empty' },
      rest: ['workspace: is gone'],
    });
  });

  it('asks for the fields of a group that may be left out only once one is filled', () => {
    const key: Schema = { type: 'object', secret: true, required: ['domain', 'pem'], properties: { domain: {}, pem: { multiline: true } } };
    const mail: Schema = { type: 'object', properties: { key } };
    expect(kindOf(key)).toBe('group');
    expect(kindOf(partOf(key).properties!.domain!)).toBe('secret');
    expect(kindOf(partOf(key).properties!.pem!)).toBe('multiline');
    expect(missingFields(mail, {})).toEqual({});
    expect(missingFields(mail, { key: { domain: 'example.com' } })).toEqual({ 'key.pem': 'This is needed.' });
  });

  it('neither asks for nor sends fields of another choice', () => {
    const mail: Schema = {
      type: 'object',
      required: ['provider', 'host'],
      properties: { provider: { enum: ['smtp', 'google'] }, host: { type: 'string', when: { provider: ['smtp'] } } },
    };
    expect(missingFields(mail, { provider: 'google' })).toEqual({});
    expect(missingFields(mail, { provider: 'smtp' })).toEqual({ host: 'This is needed.' });
    expect(filledValues(mail, { provider: 'google', host: 'left over' })).toEqual({ provider: 'google' });
  });

  it('sends of an edit what the form has, emptied texts too', () => {
    expect(changedSettings(schema, { note: '', host: 'h', other: 1, folders: [] })).toEqual({ host: 'h', note: '', folders: [] });
    expect(changedSettings({ properties: { config: { type: 'object', properties: { a: {} } } } }, { config: { a: '' } })).toEqual({
      config: {},
    });
  });

  it('reads back what it wrote, beside everything else', () => {
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(path, fc.string(), (at, value) => {
        const before = { kept: 1 };
        const after = setAt(before, at, value);
        expect(getAt(after, at)).toBe(value);
        expect(after.kept).toBe(1);
        expect(before).toEqual({ kept: 1 });
      }),
    );
  });

  it('offers of the live chat’s settings what may be changed', () => {
    const settings = JSON.parse(JSON.stringify(live.settings)) as Schema;
    const editable = editablePart(settings);
    expect(Object.keys(editable.properties!)).toEqual(['allowed_origins', 'config']);
    expect(kindOf(editable.properties!.config!.properties!.theme!)).toBe('choice');
    expect(kindOf(editable.properties!.config!.properties!.primaryColor!)).toBe('color');
  });
});
