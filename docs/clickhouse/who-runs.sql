-- Which machines run an app, from which hour to which, and how much did it move?
-- clickhouse-client --param_app=rclone --queries-file who-runs.sql
SELECT host, min(time) AS since, max(time) AS latest, sum(rx) AS received, sum(tx) AS sent
FROM netmon_hour
WHERE app_name = {app:String}
GROUP BY host
HAVING received <> 0 OR sent <> 0
ORDER BY received + sent DESC, host;
