"""What nature says: elemental data, materials, HU curves, emissions and cross sections.

The modules here read shipped tables and evaluate published formulas; they import nothing else of the project.
Units throughout: MeV, cm2/g, g/cm3 (eV for mean excitation energies, as they are tabulated).
Where each table comes from is written in ``LICENSES/README.md`` and in the attributes of the HDF5 files.
"""
