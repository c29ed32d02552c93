"""Three indexes of vectors behind one port, `VectorIndex` of `storage/knowledge/hits.py`.

`edge` is the default: Qdrant's own engine in a process of ours, a folder a collection. `pgvector` is for
several processes on one Postgres, `qdrant` for a Qdrant server. All three are derived: what is lost is made
anew from what Postgres holds.
"""
