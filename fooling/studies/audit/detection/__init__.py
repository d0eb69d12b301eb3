"""Would a detector notice? Real images against noise, random CPPNs, natural images of none of the classes, elites, elites
of other networks, and elites that were evolved against classifier and detector together."""
