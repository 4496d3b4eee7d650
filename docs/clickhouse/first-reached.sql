-- When did our machines first reach a domain, and with which app? The first row is the first of all. Needs `domain` in `fields`.
-- clickhouse-client --param_domain=example.com --queries-file first-reached.sql
SELECT min(first) AS reached, host, app_name
FROM netmon_contact
WHERE domain = {domain:String}
GROUP BY host, app_name
ORDER BY reached, app_name, host;
