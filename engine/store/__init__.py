"""The database: tables, sessions, queries. The only package that imports sqlalchemy."""
