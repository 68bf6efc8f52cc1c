-- People whose names are to be asked for are looked up every second, among all that there are.
create index contacts_wanted on contacts (workspace_id, id) where profile_state = 'wanted';
