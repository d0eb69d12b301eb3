"""People are asked what they see in a run's elites, among real images, and are told the truth at the end.

`sessions` shows images and takes answers, which it keeps in the run directory (`fooling.store.people`); `samples` finds the
real images; `models` is what goes in and out. What is shown, and how answers are counted, is the matter of
`fooling.studies.recognition`.
"""
