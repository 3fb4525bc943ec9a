"""PostgreSQL as the project uses it: the perimeter of the actor goes with every transaction.

`base`: the connection and its cursors, which tell the server on whose behalf they work. `compiler`: queries of the
ORM, which refuse a table of tenants when nobody acts.
"""
