CREATE TABLE roles (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    privileges TEXT NOT NULL, -- names divided by spaces
    built_in BOOLEAN NOT NULL
);
INSERT INTO roles (id, name, title, privileges, built_in) VALUES
    ('019aa000-0000-7000-8000-000000000001', 'administrator', 'Administrator',
     'api_access view_repositories repository_management user_management system_management view_audit_log', TRUE),
    ('019aa000-0000-7000-8000-000000000002', 'repository-manager', 'Repository Manager',
     'api_access view_repositories repository_management', TRUE),
    ('019aa000-0000-7000-8000-000000000003', 'developer', 'Developer', 'api_access view_repositories', TRUE),
    ('019aa000-0000-7000-8000-000000000004', 'viewer', 'Viewer', 'view_repositories', TRUE);
