-- The commands of a machine, which find out otherwise who acts, may ask for what that member sees, as pages do.

GRANT EXECUTE ON FUNCTION enter_as TO journeys_writer;
