"""A programme tried on people who do not exist: how they behave is data, what comes of it is the rules' own."""
