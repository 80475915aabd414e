"""Makers of the shipped data files, from the packages of the ``build`` extra.

``python -m physics_data.build`` writes them anew. The content depends only on the versions of those packages, which
stand in the attributes of each file.
"""
