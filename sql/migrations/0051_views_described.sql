-- What the views for people are, where 0025 did not say it: psql's \d+ and BI tools show it.
SET LOCAL ROLE weir_owner;

COMMENT ON VIEW weir_bi.events_by_day IS 'How often each event was there on a day, and with how many users. ''(others)'': those beyond the thousand most frequent ones.';
COMMENT ON VIEW weir_bi.versions_by_day IS 'Events and users of each version on a day. Who had two of them counts in both.';
COMMENT ON VIEW weir_bi.platforms_by_day IS 'Events and users of each platform on a day. Who had two of them counts in both.';
COMMENT ON VIEW weir_bi.countries_by_day IS 'Events and users of each country on a day. Who was in two of them counts in both.';
COMMENT ON VIEW weir_bi.crashes_by_day IS 'Crashes of each group on a day, and how many users had one. crash_groups says what a group is.';
COMMENT ON VIEW weir_bi.events_by_hour IS 'How often each event was there in an hour.';
