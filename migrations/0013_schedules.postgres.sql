CALL safeconduct_isolate('schedules');
CALL safeconduct_isolate('schedule_ticks');
