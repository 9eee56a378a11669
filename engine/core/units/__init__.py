"""The tree of provinces, communes, villages, schools and classes, with dates."""
