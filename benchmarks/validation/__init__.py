"""The accuracy of mcdose, measured: ``mcdose validate``.

1. A case computes doses through the public interface and compares them with a reference: an independent Monte Carlo
   code (EGSnrc), published voxel S values, or a theorem that holds exactly.
2. A row of a case passes when |ours - reference| <= tolerance + 3 sigma, sigma being the combined standard deviation of
   both. The tolerances, of the reference unless said otherwise:

   =============================================================  ==========================================
   electron dose-point kernels in water, energy within a radius   0.5 % of the emitted energy
   the same, shells from 0.05 to 0.85 CSDA ranges                 1.5 %
   photon point sources in water, energy within a radius          0.5 %
   voxel S values, 3 mm water                                     self 0.5 %, face neighbours 1 %, others down
                                                                  to 1 % of the self value 2 %, photons 1.5 %
   liver-lung slab, slices down to 1 % of equilibrium             1 %
   published voxel S values, down to 1 % of the self value        2 %
   Fano cavity and other exact relations                          0.2 %
   energy balance                                                 0, in integers
   =============================================================  ==========================================

3. Each run is made of independent replicates; the sigma of ours is the spread of the compared quantity itself over
   them. Adding the uncertainties of voxels in quadrature instead would leave out that one history crosses several
   voxels: for the mean dose of a cavity it gives a third to two thirds of the true standard deviation.
4. References that ship with mcdose are small text tables in ``benchmarks/reference`` which say where they come from.
"""
