-- How much of its budget, in bytes, did each machine use in each month?
-- clickhouse-client --param_budget=100000000000 --queries-file budget.sql
SELECT toStartOfMonth(time) AS month, host, sum(rx) + sum(tx) AS bytes, round(100 * bytes / {budget:UInt64}, 1) AS percent
FROM netmon_hour
GROUP BY month, host
ORDER BY month DESC, bytes DESC, host;
