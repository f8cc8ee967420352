"""A proxy in front of a chat model: it puts what is remembered before the user's words, and remembers what is said.

wire.py      what the two protocols say: the turns of a request, the answer in a response
splice.py    a text put into JSON, with every other byte as it was
given.py     what a model is given: a block of quotations, and where it was put before
asked.py     whose memory a request means, and what it wants of it
keep.py      what is new in a conversation, remembered in order, behind the response
settings.py  what the one who starts it decides
app.py       the application: requests and responses, passed on
listen.py    the server around it
"""
