"""`http:spec.toml`: a remote classifier, asked over HTTP with one PNG a request. `docs/http.md` shows how.

source      opens the spec and makes the classifier
spec        what the TOML file may say
forms       an image as a request's body, and an answer's JSON as labels and scores
secrets     ${FOOLING_HTTP_...} in the spec, put in only as a request is sent
transport   one request, sent and answered, to hosts that are allowed
rate        no faster than allowed, and how long to wait before another try
ledger      what is kept on disk: every answer, and how many queries were sent and what they cost
client      all of that together: each image is asked about once, within the budget
"""
