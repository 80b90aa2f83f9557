"""A small repository of its own: how far does the sea stand above its tables?"""
