CREATE TRIGGER run_answers_no_update BEFORE UPDATE ON run_answers
BEGIN SELECT RAISE(ABORT, 'answers of runs are never changed'); END;
