"""What browsers and programs are answered over HTTP: pages, the API, media files, and who may ask for them.

`app` puts the routes together and `server` runs it; `commands` export pages with its templates. Nothing in here opens
an index: all of it asks the pool that it is given. It imports `render`, `export` and `pool`.
"""
