"""Do people see in the elites what the classifier says of them?

Nguyen, Yosinski & Clune (2015) call their images unrecognisable and did not ask. Zhou & Firestone ("Humans can decipher
adversarial images", Nature Communications 10:1334, 2019) did: offered two labels, people often chose the network's.

`trials` draws what a person is shown, elites among real images; `statistics` makes the answers into a `result`;
`study` does so for runs.
"""
