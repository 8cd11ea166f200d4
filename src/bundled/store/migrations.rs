//! The schema of the database, as the migrations that lead to it.

/// The version of the database schema: the number of applied [`MIGRATIONS`], stored in `user_version`.
pub const SCHEMA_VERSION: i64 = 17;

/// The migrations. Each one upgrades a database from the version before it.
pub(super) const MIGRATIONS: [&str; 17] = [
    MIGRATION_1,
    MIGRATION_2,
    MIGRATION_3,
    MIGRATION_4,
    MIGRATION_5,
    MIGRATION_6,
    MIGRATION_7,
    MIGRATION_8,
    MIGRATION_9,
    MIGRATION_10,
    MIGRATION_11,
    MIGRATION_12,
    MIGRATION_13,
    MIGRATION_14,
    MIGRATION_15,
    MIGRATION_16,
    MIGRATION_17,
];

const MIGRATION_1: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE principals (account TEXT, kind TEXT, name TEXT, document TEXT NOT NULL,
        PRIMARY KEY (account, kind, name)) STRICT, WITHOUT ROWID;
    CREATE TABLE access_keys (id TEXT PRIMARY KEY, account TEXT NOT NULL, arn TEXT NOT NULL, user_id TEXT NOT NULL,
        secret BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE key_stores (region TEXT, id TEXT, document TEXT NOT NULL, secret BLOB NOT NULL, due INTEGER,
        PRIMARY KEY (region, id)) STRICT, WITHOUT ROWID;
    CREATE TABLE keys (region TEXT, id TEXT, document TEXT NOT NULL, policy TEXT NOT NULL, material_id TEXT NOT NULL,
        material BLOB NOT NULL, key_store TEXT, external_key TEXT,
        PRIMARY KEY (region, id), UNIQUE (region, key_store, external_key)) STRICT, WITHOUT ROWID;
    CREATE TABLE aliases (region TEXT, name TEXT, key_id TEXT NOT NULL, created INTEGER NOT NULL,
        PRIMARY KEY (region, name)) STRICT, WITHOUT ROWID;
    CREATE TABLE tags (region TEXT, key_id TEXT, tag_key TEXT, tag_value TEXT NOT NULL,
        PRIMARY KEY (region, key_id, tag_key)) STRICT, WITHOUT ROWID;
";

const MIGRATION_2: &str = "
    ALTER TABLE keys ADD COLUMN due INTEGER;
    CREATE INDEX keys_due ON keys (region, due) WHERE due IS NOT NULL;
    ALTER TABLE aliases ADD COLUMN updated INTEGER;
    CREATE INDEX aliases_of_key ON aliases (region, key_id);
    CREATE TABLE vpc_endpoint_services (region TEXT, name TEXT, document TEXT NOT NULL,
        PRIMARY KEY (region, name)) STRICT, WITHOUT ROWID;
";

/// Assigns records to an account in a Region. Adds policies of principals, sessions of roles, and grants of keys.
const MIGRATION_3: &str = r#"
    ALTER TABLE keys RENAME COLUMN region TO world;
    ALTER TABLE key_stores RENAME COLUMN region TO world;
    ALTER TABLE aliases RENAME COLUMN region TO world;
    ALTER TABLE tags RENAME COLUMN region TO world;
    ALTER TABLE vpc_endpoint_services RENAME COLUMN region TO world;
    UPDATE keys SET world = (SELECT account FROM access_keys) || '/' || world;
    UPDATE key_stores SET world = (SELECT account FROM access_keys) || '/' || world;
    UPDATE aliases SET world = (SELECT account FROM access_keys) || '/' || world;
    UPDATE tags SET world = (SELECT account FROM access_keys) || '/' || world;
    UPDATE vpc_endpoint_services SET world = (SELECT account FROM access_keys) || '/' || world;
    ALTER TABLE principals ADD COLUMN policies TEXT NOT NULL DEFAULT '[]';
    UPDATE principals SET policies =
        '["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"]'
        WHERE document ->> '$.Arn' IN (SELECT arn FROM access_keys);
    CREATE TABLE sessions (id TEXT PRIMARY KEY, account TEXT NOT NULL, arn TEXT NOT NULL, role_arn TEXT NOT NULL,
        user_id TEXT NOT NULL, secret BLOB NOT NULL, token TEXT NOT NULL, policy TEXT, expires INTEGER NOT NULL) STRICT,
        WITHOUT ROWID;
    CREATE TABLE grants (world TEXT, key_id TEXT, id TEXT, token TEXT NOT NULL UNIQUE, document TEXT NOT NULL,
        PRIMARY KEY (world, key_id, id)) STRICT, WITHOUT ROWID;
"#;

/// Adds CloudTrail events, in segments with the times of the first and last event and one line for each event.
const MIGRATION_4: &str = "
    CREATE TABLE events (id INTEGER PRIMARY KEY, world TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        count INTEGER NOT NULL, lines TEXT NOT NULL) STRICT;
    CREATE INDEX events_of_world ON events (world, id);
    CREATE INDEX events_by_age ON events (last);
";

/// Adds all key materials of rotated keys, with the type and date of each rotation, and the rotation schedules.
const MIGRATION_5: &str = "
    CREATE TABLE key_materials (world TEXT NOT NULL, key_id TEXT NOT NULL, material_id TEXT NOT NULL,
        material BLOB NOT NULL, kind TEXT, at INTEGER, PRIMARY KEY (world, key_id, material_id)) STRICT;
    CREATE TABLE rotation_schedules (world TEXT, key_id TEXT, days INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (world, key_id)) STRICT, WITHOUT ROWID;
";

/// Allows segments of events to be compressed.
const MIGRATION_6: &str = "
    CREATE TABLE segments (id INTEGER PRIMARY KEY, world TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        count INTEGER NOT NULL, lines ANY NOT NULL) STRICT;
    INSERT INTO segments SELECT id, world, first, last, count, lines FROM events;
    DROP TABLE events;
    ALTER TABLE segments RENAME TO events;
    CREATE INDEX events_of_world ON events (world, id);
    CREATE INDEX events_by_age ON events (last);
";

/// Adds CloudWatch metrics with their statistics for each minute. Adds to key stores when the proxy credential was last
/// changed (`NULL` if never) and when KMS last checked the health of the proxy.
const MIGRATION_7: &str = "
    CREATE TABLE metrics (id INTEGER PRIMARY KEY, world TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL,
        UNIQUE (world, name, dimensions)) STRICT;
    CREATE TABLE metric_minutes (metric INTEGER, minute INTEGER, count INTEGER NOT NULL, sum REAL NOT NULL,
        min REAL NOT NULL, max REAL NOT NULL, PRIMARY KEY (metric, minute)) STRICT, WITHOUT ROWID;
    CREATE INDEX metric_minutes_by_age ON metric_minutes (minute);
    ALTER TABLE key_stores ADD COLUMN credential_since INTEGER;
    ALTER TABLE key_stores ADD COLUMN checked INTEGER;
";

/// Adds routes to external key store proxies that need an explicit address or their own certificate authorities.
const MIGRATION_8: &str = "
    CREATE TABLE proxy_routes (host TEXT PRIMARY KEY, address TEXT, authorities TEXT) STRICT, WITHOUT ROWID;
";

/// Adds the MFA devices of users, with the seed of their codes and the time step of the last used code.
const MIGRATION_9: &str = "
    CREATE TABLE mfa_devices (serial TEXT PRIMARY KEY, user_arn TEXT NOT NULL, seed BLOB NOT NULL,
        last_step INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// Gives names to the policies of users and roles. Adds a creation date to access keys, and to sessions the attributes
/// that conditions refer to: issue time, tags, and source identity.
const MIGRATION_10: &str = "
    CREATE TABLE principal_policies (account TEXT, kind TEXT, principal TEXT, name TEXT, document TEXT NOT NULL,
        PRIMARY KEY (account, kind, principal, name)) STRICT, WITHOUT ROWID;
    INSERT INTO principal_policies SELECT account, kind, principals.name, format('Policy%d', json_each.key + 1), json_each.value
        FROM principals, json_each(policies);
    ALTER TABLE principals DROP COLUMN policies;
    ALTER TABLE sessions ADD COLUMN context TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE access_keys ADD COLUMN created TEXT NOT NULL DEFAULT '2024-01-15T09:00:00Z';
";

/// Adds how far the account's time is ahead of that of the machine, in milliseconds.
const MIGRATION_11: &str = "
    CREATE TABLE account_clock (id INTEGER PRIMARY KEY CHECK (id = 1), ahead INTEGER NOT NULL CHECK (ahead >= 0)) STRICT;
    INSERT INTO account_clock VALUES (1, 0);
";

/// Adds workloads. Lets an account be behind the machine while its past is made.
const MIGRATION_12: &str = "
    CREATE TABLE workloads (world TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, next INTEGER NOT NULL,
        progress TEXT NOT NULL, PRIMARY KEY (world, name)) STRICT, WITHOUT ROWID;
    CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 1), ahead INTEGER NOT NULL) STRICT;
    INSERT INTO clock SELECT id, ahead FROM account_clock;
    DROP TABLE account_clock;
    ALTER TABLE clock RENAME TO account_clock;
";

/// Adds proxy faults: their words, when they were added and end, and how many requests they applied to and made fail.
/// Times are in milliseconds since 1970. IDs aren't used again.
const MIGRATION_13: &str = "
    CREATE TABLE proxy_faults (id INTEGER PRIMARY KEY AUTOINCREMENT, fault TEXT NOT NULL, created INTEGER NOT NULL,
        ends INTEGER, matched INTEGER NOT NULL DEFAULT 0, hits INTEGER NOT NULL DEFAULT 0) STRICT;
";

/// Adds flows: what the account did for its latest requests. A flow is stored once for each account that it concerns.
const MIGRATION_14: &str = "
    CREATE TABLE flows (id INTEGER PRIMARY KEY, world TEXT NOT NULL, request TEXT NOT NULL, summary TEXT NOT NULL,
        document BLOB NOT NULL) STRICT;
    CREATE INDEX flows_of_world ON flows (world, id);
    CREATE INDEX flows_by_request ON flows (request);
";

/// Counts the keys of each account in a Region, and the grants of each key. Adds indexes for grants, scheduled changes,
/// access keys, and sessions. Gives each segment of events the number of its last event as its ID, so that the oldest ones
/// are found by it.
const MIGRATION_15: &str = "
    CREATE TABLE counts (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO counts SELECT 'keys/' || world, count(*) FROM keys GROUP BY world;
    INSERT INTO counts SELECT 'grants/' || world || '/' || key_id, count(*) FROM grants GROUP BY world, key_id;
    CREATE TRIGGER key_created AFTER INSERT ON keys BEGIN
        INSERT INTO counts VALUES ('keys/' || new.world, 1) ON CONFLICT DO UPDATE SET count = count + 1;
    END;
    CREATE TRIGGER key_deleted AFTER DELETE ON keys BEGIN
        UPDATE counts SET count = count - 1 WHERE name = 'keys/' || old.world;
        DELETE FROM counts WHERE name = 'keys/' || old.world AND count = 0;
    END;
    CREATE TRIGGER grant_created AFTER INSERT ON grants BEGIN
        INSERT INTO counts VALUES ('grants/' || new.world || '/' || new.key_id, 1)
            ON CONFLICT DO UPDATE SET count = count + 1;
    END;
    CREATE TRIGGER grant_deleted AFTER DELETE ON grants BEGIN
        UPDATE counts SET count = count - 1 WHERE name = 'grants/' || old.world || '/' || old.key_id;
        DELETE FROM counts WHERE name = 'grants/' || old.world || '/' || old.key_id AND count = 0;
    END;
    CREATE INDEX grants_by_name ON grants (world, key_id, document ->> '$.Name') WHERE document ->> '$.Name' IS NOT NULL;
    CREATE INDEX grants_by_grantee ON grants (world, key_id, document ->> '$.GranteePrincipal');
    CREATE INDEX grants_by_retiring_principal ON grants (document ->> '$.RetiringPrincipal')
        WHERE document ->> '$.RetiringPrincipal' IS NOT NULL;
    DROP INDEX keys_due;
    CREATE INDEX keys_due ON keys (due) WHERE due IS NOT NULL;
    CREATE INDEX rotation_schedules_due ON rotation_schedules (next);
    CREATE INDEX access_keys_by_principal ON access_keys (arn);
    CREATE INDEX sessions_by_age ON sessions (expires);
    CREATE TABLE numbered_events (id INTEGER PRIMARY KEY, world TEXT NOT NULL, first INTEGER NOT NULL,
        last INTEGER NOT NULL, count INTEGER NOT NULL, lines ANY NOT NULL) STRICT;
    INSERT INTO numbered_events SELECT sum(count) OVER (ORDER BY id), world, first, last, count, lines FROM events;
    DROP TABLE events;
    ALTER TABLE numbered_events RENAME TO events;
    CREATE INDEX events_of_world ON events (world, id);
";

/// Adds a log of changes to keys and key stores, which triggers write. Aliases and tags count as parts of their keys.
const MIGRATION_16: &str = "
    CREATE TABLE changes (id INTEGER PRIMARY KEY, world TEXT NOT NULL, is_key_store INTEGER NOT NULL,
        name TEXT NOT NULL) STRICT;
    CREATE TRIGGER changes_kept AFTER INSERT ON changes
        BEGIN DELETE FROM changes WHERE id <= new.id - 1000; END;
    CREATE TRIGGER changes_key_created AFTER INSERT ON keys
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (new.world, 0, new.id); END;
    CREATE TRIGGER changes_key_updated AFTER UPDATE OF document, policy ON keys
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (new.world, 0, new.id); END;
    CREATE TRIGGER changes_key_deleted AFTER DELETE ON keys
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (old.world, 0, old.id); END;
    CREATE TRIGGER changes_alias_created AFTER INSERT ON aliases
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (new.world, 0, new.key_id); END;
    CREATE TRIGGER changes_alias_updated AFTER UPDATE ON aliases
        BEGIN INSERT INTO changes (world, is_key_store, name)
            VALUES (old.world, 0, old.key_id), (new.world, 0, new.key_id); END;
    CREATE TRIGGER changes_alias_deleted AFTER DELETE ON aliases
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (old.world, 0, old.key_id); END;
    CREATE TRIGGER changes_tag_created AFTER INSERT ON tags
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (new.world, 0, new.key_id); END;
    CREATE TRIGGER changes_tag_updated AFTER UPDATE ON tags
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (new.world, 0, new.key_id); END;
    CREATE TRIGGER changes_tag_deleted AFTER DELETE ON tags
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (old.world, 0, old.key_id); END;
    CREATE TRIGGER changes_key_store_created AFTER INSERT ON key_stores
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (new.world, 1, new.id); END;
    CREATE TRIGGER changes_key_store_updated AFTER UPDATE OF document ON key_stores
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (new.world, 1, new.id); END;
    CREATE TRIGGER changes_key_store_deleted AFTER DELETE ON key_stores
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (old.world, 1, old.id); END;
";

/// Stores keys in the order in which they are created, because each one needed an overflow page in the order of their IDs. Only
/// keys in key stores have entries in the index of external keys. Removes many changes from the log at once.
const MIGRATION_17: &str = "
    CREATE TABLE keys_by_creation (world TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, policy TEXT NOT NULL,
        material_id TEXT NOT NULL, material BLOB NOT NULL, key_store TEXT, external_key TEXT, due INTEGER,
        PRIMARY KEY (world, id)) STRICT;
    INSERT INTO keys_by_creation SELECT world, id, document, policy, material_id, material, key_store, external_key, due
        FROM keys;
    DROP TABLE keys;
    ALTER TABLE keys_by_creation RENAME TO keys;
    CREATE UNIQUE INDEX keys_by_external_key ON keys (world, key_store, external_key) WHERE key_store IS NOT NULL;
    CREATE INDEX keys_due ON keys (due) WHERE due IS NOT NULL;
    CREATE TRIGGER key_created AFTER INSERT ON keys BEGIN
        INSERT INTO counts VALUES ('keys/' || new.world, 1) ON CONFLICT DO UPDATE SET count = count + 1;
    END;
    CREATE TRIGGER key_deleted AFTER DELETE ON keys BEGIN
        UPDATE counts SET count = count - 1 WHERE name = 'keys/' || old.world;
        DELETE FROM counts WHERE name = 'keys/' || old.world AND count = 0;
    END;
    CREATE TRIGGER changes_key_created AFTER INSERT ON keys
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (new.world, 0, new.id); END;
    CREATE TRIGGER changes_key_updated AFTER UPDATE OF document, policy ON keys
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (new.world, 0, new.id); END;
    CREATE TRIGGER changes_key_deleted AFTER DELETE ON keys
        BEGIN INSERT INTO changes (world, is_key_store, name) VALUES (old.world, 0, old.id); END;
    DROP TRIGGER changes_kept;
    CREATE TRIGGER changes_kept AFTER INSERT ON changes WHEN new.id % 100 = 0
        BEGIN DELETE FROM changes WHERE id <= new.id - 1000; END;
";
