-- What a message says, hashed, where its id is made by the sender: broken programs use one id for several mails.
alter table messages add column fingerprint text;
