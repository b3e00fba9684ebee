DROP TABLE reveals;
