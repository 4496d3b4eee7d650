-- Who sent that peak? The minutes in which a machine sent most, and the app that sent most of it.
-- clickhouse-client --param_begin='2026-11-01 09:00:00' --param_end='2026-11-01 17:00:00' --queries-file who-sent-peak.sql
SELECT time, host, argMax(app, app_sent) AS top_app, max(app_sent) AS top_sent, sum(app_sent) AS sent
FROM (
  SELECT time, host, coalesce(app_name, reason, 'unknown') AS app, sum(tx) AS app_sent
  FROM netmon_minute
  WHERE time >= {begin:DateTime('UTC')} AND time < {end:DateTime('UTC')}
  GROUP BY time, host, app
)
GROUP BY time, host
ORDER BY sent DESC, time, host
LIMIT 10;
