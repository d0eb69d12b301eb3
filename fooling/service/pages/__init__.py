"""The pages of the service: what the API tells, drawn. A file for each page; `drawing` has what they share.

A page function gets what it shows from the same functions and models as the API. It holds no rules: who may do what is
the guard's matter, and what a job may do is the jobs'.
"""

from fastapi import APIRouter

from fooling.service.pages import assets, blind, breed, compare, elite, new, run, runs, studies

router = APIRouter(include_in_schema=False, tags=["pages"])
for _part in (assets, blind, breed, compare, elite, run, runs, studies, new):
    router.include_router(_part.router)
